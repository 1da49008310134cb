"""Whether our alerts fire when they should, and only then: scenarios of faults, and weeks without any.

scenario_files.load() → {name: Scenario}          scenarios/*.yml
replayed.replaying(folder, scenarios)             each as a written past: what each of our alerts would have done
quiet_weeks.WEEKS[0].replay(folder) → Outcome     four weeks without a fault
expectations.problems(scenario, happened)              what is not as the scenario says
"""
