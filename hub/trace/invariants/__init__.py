"""The promises of the design that a trace can show broken, one module each."""
