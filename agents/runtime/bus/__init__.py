"""An agent's end of the bus, one module per engine: ``zmq.ZmqAgentBus``."""
