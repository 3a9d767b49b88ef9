"""Settings: frozen, from the environment and `$JOURNEYMAN_HOME/env`."""
