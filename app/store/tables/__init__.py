"""The tables and what is read from them: rows become values of the domain. Functions on an open connection."""
