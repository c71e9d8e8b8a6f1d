//! The settings that must match, in a form that is the same on both nodes whenever they do: to be compared as text.

use super::reader::shown;
use toml::Value;
use ucm_ha::Config;
use ucm_ha::fault::Faults;
use ucm_ha::types::NetworkMethod;

/// One line for each, as it would stand in the file with its section, whether it stands there or not.
pub(crate) fn shared(config: &Config) -> Vec<String> {
    let text = |text: String| Value::String(text);
    let switching = config.fault.switching;
    let ports = switching.iter_names().filter(|(name, _)| name.starts_with("FXO"));
    let ports = ports.map(|(name, _)| text(name.to_owned())).collect();
    let method = match config.network_method {
        NetworkMethod::Switch => "switch",
        NetworkMethod::Router => "router",
    };
    let settings = [
        ("device.model", text(config.model.name().to_owned())),
        ("ha.cluster_ip", text(config.cluster_ip.to_string())),
        ("ha.fast_failover", Value::Boolean(config.fast_failover)),
        ("ha.hardware_fault_switch", Value::Array(ports)),
        ("ha.heartbeat_port", Value::Integer(config.heartbeat_port.into())),
        ("ha.heartbeat_timeout", Value::Integer(config.heartbeat_timeout_s.into())),
        ("ha.software_fault_switch", Value::Boolean(switching.contains(Faults::SERVICE))),
        ("network.gateway", text(config.gateway.map_or_else(String::new, |gateway| gateway.to_string()))),
        ("network.method", text(method.to_owned())),
    ];
    settings.into_iter().map(|(key, value)| format!("{key} = {}", shown(&value))).collect()
}
