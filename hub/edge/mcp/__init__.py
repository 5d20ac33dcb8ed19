"""MCP: the hub's models and robots as tools of the Model Context Protocol."""
