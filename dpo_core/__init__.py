"""The mathematics of DPO Lab: exact Direct Preference Optimization on small policies.

Importing this package imports neither torch nor streamlit.
Paper: Rafailov et al. 2023, arXiv 2305.18290; equation numbers follow it.
"""
