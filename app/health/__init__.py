"""How the gateway is: alive, ready, and what it knows of itself. Reads only; changes nothing."""
