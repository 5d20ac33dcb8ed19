"""Pictures that are made of words, or of words and a picture."""
