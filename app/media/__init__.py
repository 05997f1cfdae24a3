"""Media: files are passed on to Meta and from it piece by piece; received ones are kept if the config says so."""
