"""The actions, one module for each kind; ``base.py`` says what an action is given and gives back."""
