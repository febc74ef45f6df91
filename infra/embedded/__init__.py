"""The real servers, from Python packages: nothing to install, no root, no container."""
