-- The health of a Fleet, for Argo CD (resource.customizations.health.landbridge.dev_Fleet).
local health = {status = "Progressing", message = "no worker has looked at it yet (landbridge-worker --watch-fleets)"}
if obj.status == nil or obj.status.conditions == nil then
  return health
end
if (obj.status.observedGeneration or 0) < (obj.metadata.generation or 0) then
  health.message = "no worker has looked at generation " .. obj.metadata.generation .. " yet"
  return health
end
local condition = {}
for _, c in ipairs(obj.status.conditions) do
  condition[c.type] = c
end
local function is(type, status)
  return condition[type] ~= nil and condition[type].status == status
end
local function say(status, type)
  health.status = status
  health.message = condition[type].message
  return health
end
if is("WaitingForApproval", "True") then
  return say("Suspended", "WaitingForApproval")
end
if condition.Ready ~= nil and condition.Ready.reason == "Suspended" then
  return say("Suspended", "Ready")
end
if is("Ready", "False") then
  return say("Degraded", "Ready")
end
if is("Progressing", "True") then
  return say("Progressing", "Progressing")
end
if is("Proven", "False") then
  return say("Degraded", "Proven")
end
if is("Drifted", "True") then
  return say("Degraded", "Drifted")
end
if is("Ready", "True") then
  return say("Healthy", "Ready")
end
health.status = "Unknown"
if condition.Ready ~= nil then
  health.message = condition.Ready.message
end
return health
