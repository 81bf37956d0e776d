"""How a checkout becomes a package: `package` writes its files, `hatch_build` tells the build; `python -m release`."""
