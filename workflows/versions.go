package workflows

// This file is the only one with workflow.GetVersion markers. Each tells which release
// brought it, and which histories need it. There is none yet: v0.4.0 broke with all
// histories before it.
