"""Tools of others that an answer may call on its way (Model Context Protocol)."""
