"""An imperceptible mark that carries an asset id."""
