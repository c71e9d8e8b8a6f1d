-- Wireshark dissector for the heartbeat of ucm-ha, as docs/protocol.md describes it.
--
-- For one session: tshark -X lua_script:hil-tests/wireshark/ucm-ha.lua -r FILE
-- For good: copy it to the folder that Wireshark names under Help > About > Folders > Personal Lua Plugins.

local heartbeat = Proto("ucmha", "UCM high-availability heartbeat")

local MAGIC = 0x55434841
local HEADER_LEN, EXTENSION_LEN, CRC_LEN, CODE_LEN = 76, 12, 4, 16
local DEFAULT_PORT = 9527
local FLAG_AUTHENTICATED = 0x01

local kinds = { [1] = "Request", [2] = "Response" }
local paths = { [1] = "Cable", [2] = "LAN" }
local roles = { [0] = "Off", [1] = "Init", [2] = "Standby", [3] = "Claiming", [4] = "Active", [5] = "Yielding" }
local stations = { [1] = "Primary", [2] = "Secondary" }
local models = {
    [1] = "UCM6301", [2] = "UCM6302", [3] = "UCM6304", [4] = "UCM6308",
    [5] = "UCM6300A", [6] = "UCM6302A", [7] = "UCM6304A", [8] = "UCM6308A",
}
local signals = {
    [0] = "None", [1] = "Handover", [2] = "Accept", [3] = "Refuse", [4] = "Released", [5] = "Intent", [6] = "Grant",
}
local reasons = { [1] = "Own fault", [2] = "Forced switch", [3] = "Shutdown" }
local refusals = { [1] = "Unhealthy", [2] = "Syncing", [3] = "Not standby", [4] = "Address not bound" }
-- What the detail of a signal means depends on the signal.
local details = { [1] = reasons, [3] = refusals, [4] = reasons }

-- Bit by bit, from bit 0.
local readiness_bits = {
    { "healthy", "Healthy" }, { "in_sync", "In sync" }, { "willing", "Willing" }, { "gateway_seen", "Gateway seen" },
    { "lan_usable", "LAN usable" }, { "cable_carrier", "Cable carrier" }, { "lan_carrier", "LAN carrier" },
    { "last_active", "Last active" }, { "gateway_configured", "Gateway configured" },
    { "fast_failover", "Fast failover" }, { "echo_counted", "Echo counted" }, { "syncing", "Syncing" },
    { "enabled", "Enabled" }, { "fast_suspended", "Fast suspended" }, { "hears_lan", "Hears LAN" },
}
local condition_bits = {
    { "witness_configured", "Witness configured" }, { "witness_missing", "Witness missing" },
    { "fast_armed", "Fast failover armed" }, { "maintenance", "Maintenance" }, { "restore_hold", "Restore hold" },
    { "cloud_im_own", "Cloud IM own" }, { "cloud_im_held", "Cloud IM held" }, { "draining", "Draining" },
}
local fault_bits = {
    { "fxo1", "FXO 1" }, { "fxo2", "FXO 2" }, { "fxo3", "FXO 3" }, { "fxo4", "FXO 4" },
    { "fxo5", "FXO 5" }, { "fxo6", "FXO 6" }, { "fxo7", "FXO 7" }, { "fxo8", "FXO 8" },
    { "lan", "LAN uplink" }, { "wan", "WAN uplink" }, { "gateway", "Gateway" }, { "service", "Core service" },
    { "address", "Cluster IP not bound" },
}

local f = {
    magic = ProtoField.string("ucmha.magic", "Magic"),
    version = ProtoField.uint8("ucmha.version", "Version"),
    highest = ProtoField.uint8("ucmha.highest_version", "Highest version"),
    length = ProtoField.uint16("ucmha.length", "Length"),
    kind = ProtoField.uint8("ucmha.kind", "Kind", base.DEC, kinds),
    path = ProtoField.uint8("ucmha.path", "Path", base.DEC, paths),
    role = ProtoField.uint8("ucmha.role", "Role", base.DEC, roles),
    station = ProtoField.uint8("ucmha.station_type", "Station type", base.DEC, stations),
    mac = ProtoField.ether("ucmha.mac", "MAC"),
    model = ProtoField.uint16("ucmha.model", "Model", base.DEC, models),
    boot = ProtoField.uint32("ucmha.boot_id", "Boot id", base.HEX),
    sequence = ProtoField.uint64("ucmha.sequence", "Sequence"),
    echo_boot = ProtoField.uint32("ucmha.echo.boot_id", "Echo: boot id", base.HEX),
    echo_sequence = ProtoField.uint64("ucmha.echo.sequence", "Echo: sequence"),
    term = ProtoField.uint32("ucmha.term", "Term"),
    readiness = ProtoField.uint16("ucmha.readiness", "Readiness", base.HEX),
    signal = ProtoField.uint8("ucmha.signal", "Signal", base.DEC, signals),
    detail = ProtoField.uint8("ucmha.signal.detail", "Signal detail"),
    signal_term = ProtoField.uint32("ucmha.signal.term", "Signal term"),
    faults = ProtoField.uint32("ucmha.faults", "Faults", base.HEX),
    firmware = ProtoField.string("ucmha.firmware", "Firmware"),
    digest = ProtoField.uint32("ucmha.settings_digest", "Settings digest", base.HEX),
    generation = ProtoField.uint32("ucmha.sync_generation", "Sync generation"),
    timeout = ProtoField.uint8("ucmha.timeout", "Timeout (s)"),
    flags = ProtoField.uint8("ucmha.flags", "Flags", base.HEX),
    authenticated = ProtoField.bool("ucmha.flags.authenticated", "Authenticated", 8, nil, FLAG_AUTHENTICATED),
    conditions = ProtoField.uint16("ucmha.conditions", "Conditions", base.HEX),
    own_ip = ProtoField.ipv4("ucmha.own_ip", "Own address"),
    cluster_ip = ProtoField.ipv4("ucmha.cluster_ip", "Cluster IP"),
    data_epoch = ProtoField.uint32("ucmha.data_epoch", "Data epoch"),
    extension = ProtoField.bytes("ucmha.extension", "Fields of a later version"),
    crc = ProtoField.uint32("ucmha.crc", "CRC-32", base.HEX),
    code = ProtoField.bytes("ucmha.code", "Authentication code"),
}

local fields = {}
for _, field in pairs(f) do fields[#fields + 1] = field end

local function bit_fields(prefix, width, bits)
    local made = {}
    for position, bit in ipairs(bits) do
        made[position] = ProtoField.bool(prefix .. "." .. bit[1], bit[2], width, nil, 2 ^ (position - 1))
        fields[#fields + 1] = made[position]
    end
    return made
end
local readiness_fields = bit_fields("ucmha.readiness", 16, readiness_bits)
local condition_fields = bit_fields("ucmha.condition", 16, condition_bits)
local fault_fields = bit_fields("ucmha.fault", 32, fault_bits)
heartbeat.fields = fields

local malformed = ProtoExpert.new("ucmha.malformed", "Malformed heartbeat", expert.group.MALFORMED, expert.severity.ERROR)
local other_version =
    ProtoExpert.new("ucmha.other_version", "Version this dissector does not know", expert.group.UNDECODED, expert.severity.NOTE)
heartbeat.experts = { malformed, other_version }

local function add_bits(tree, field, range, bits)
    local branch = tree:add(field, range)
    for _, bit in ipairs(bits) do branch:add(bit, range) end
end

local function add_identity(tree, buffer)
    tree:add(f.kind, buffer(8, 1))
    tree:add(f.path, buffer(9, 1))
    tree:add(f.role, buffer(10, 1))
    tree:add(f.station, buffer(11, 1))
    tree:add(f.mac, buffer(12, 6))
    tree:add(f.model, buffer(18, 2))
    tree:add(f.boot, buffer(20, 4))
    tree:add(f.sequence, buffer(24, 8))
    tree:add(f.echo_boot, buffer(32, 4))
    tree:add(f.echo_sequence, buffer(36, 8))
    tree:add(f.term, buffer(44, 4))
end

local function add_state(tree, buffer)
    add_bits(tree, f.readiness, buffer(48, 2), readiness_fields)
    tree:add(f.signal, buffer(50, 1))
    local detail = tree:add(f.detail, buffer(51, 1))
    local names = details[buffer(50, 1):uint()]
    local name = names and names[buffer(51, 1):uint()]
    if name then detail:append_text(" (" .. name .. ")") end
    tree:add(f.signal_term, buffer(52, 4))
    add_bits(tree, f.faults, buffer(56, 4), fault_fields)
    local version = buffer(60, 4):bytes()
    local parts = {}
    for index = 0, 3 do parts[#parts + 1] = tostring(version:get_index(index)) end
    tree:add(f.firmware, buffer(60, 4), table.concat(parts, "."))
    tree:add(f.digest, buffer(64, 4))
    tree:add(f.generation, buffer(68, 4))
    tree:add(f.timeout, buffer(72, 1))
    tree:add(f.flags, buffer(73, 1)):add(f.authenticated, buffer(73, 1))
    add_bits(tree, f.conditions, buffer(74, 2), condition_fields)
end

local function add_trailer(tree, buffer, length)
    local authenticated = buffer(73, 1):uint() % 2 == 1
    local trailer_len = CRC_LEN + (authenticated and CODE_LEN or 0)
    local extension_len = length - HEADER_LEN - trailer_len
    if extension_len < 0 then
        tree:add_proto_expert_info(malformed)
        return
    end
    local known_len = 0
    if extension_len >= EXTENSION_LEN then
        known_len = EXTENSION_LEN
        tree:add(f.own_ip, buffer(76, 4))
        tree:add(f.cluster_ip, buffer(80, 4))
        tree:add(f.data_epoch, buffer(84, 4))
    end
    if extension_len > known_len then
        tree:add(f.extension, buffer(HEADER_LEN + known_len, extension_len - known_len))
    end
    tree:add(f.crc, buffer(HEADER_LEN + extension_len, CRC_LEN))
    if authenticated then tree:add(f.code, buffer(length - CODE_LEN, CODE_LEN)) end
end

function heartbeat.dissector(buffer, packet, root)
    if buffer:len() < 8 or buffer(0, 4):uint() ~= MAGIC then return 0 end
    packet.cols.protocol = "UCM-HA"
    local length = buffer(6, 2):uint()
    local tree = root:add(heartbeat, buffer())
    tree:add(f.magic, buffer(0, 4))
    tree:add(f.version, buffer(4, 1))
    tree:add(f.highest, buffer(5, 1))
    tree:add(f.length, buffer(6, 2))
    if buffer(4, 1):uint() ~= 1 then
        tree:add_proto_expert_info(other_version)
        return buffer:len()
    end
    if length < HEADER_LEN + CRC_LEN or length > buffer:len() then
        tree:add_proto_expert_info(malformed)
        return buffer:len()
    end
    add_identity(tree, buffer)
    add_state(tree, buffer)
    add_trailer(tree, buffer, length)
    local kind = kinds[buffer(8, 1):uint()] or "?"
    local role = roles[buffer(10, 1):uint()] or "?"
    local info = string.format("%s, %s, term %d", kind, role, buffer(44, 4):uint())
    local signal = buffer(50, 1):uint()
    if signal ~= 0 then info = info .. ", " .. (signals[signal] or "?") .. " " .. buffer(52, 4):uint() end
    packet.cols.info = info
    return length
end

-- Another port can be chosen by `-d udp.port==PORT,ucmha`, or is found by the magic number.
DissectorTable.get("udp.port"):add(DEFAULT_PORT, heartbeat)
heartbeat:register_heuristic("udp", function(buffer, packet, root)
    if buffer:len() < 8 or buffer(0, 4):uint() ~= MAGIC then return false end
    heartbeat.dissector(buffer, packet, root)
    return true
end)
