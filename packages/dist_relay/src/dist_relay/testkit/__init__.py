"""What tests of the relay and of adapters stand on: clock, memory counterparts, a scriptable adapter, crash points."""
