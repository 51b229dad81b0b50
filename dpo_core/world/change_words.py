"""A scenario's interventions in words, in the order of the steps at which they take effect."""

from dpo_core.world.scenario import Intervention, Rules, Scenario


def describe(scenario: Scenario) -> list[tuple[int, str]]:
    """(step, text) per intervention, e.g. (60, "step 60: pair 3 flipped")."""
    rules = Rules(scenario.preferences.comparisons, scenario.objective, scenario.optimizer)
    entries = []
    for intervention in sorted(scenario.interventions, key=lambda i: i.step):
        entries.append((intervention.step, f"step {intervention.step}: {_words(intervention, rules)}"))
        rules = rules.after(intervention)
    return entries


def _words(intervention: Intervention, before: Rules) -> str:
    pair = intervention.comparison + 1
    match intervention.change:
        case "flip":
            return f"pair {pair} flipped"
        case "agreement":
            old = before.comparisons[intervention.comparison].agreement
            return f"agreement on pair {pair} {old:.0%} → {intervention.value:.0%}"
        case "sigma_weight":
            return f"sigma weight {'on' if intervention.value else 'off'}"
        case "beta":
            return f"β {before.objective.beta:g} → {intervention.value:g}"
    return f"learning rate {before.optimizer.learning_rate:g} → {intervention.value:g}"
