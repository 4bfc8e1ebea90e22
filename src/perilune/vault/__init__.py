"""Key references and where secrets rest."""
