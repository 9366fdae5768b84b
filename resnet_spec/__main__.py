"""`python -m resnet_spec`"""

from resnet_spec.cli import main

if __name__ == "__main__":
    main()
