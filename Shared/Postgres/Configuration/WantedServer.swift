/// Which servers a session may have (`target_session_attrs`; see ``PostgresConfiguration/wantedServers(readsOnly:)``).
enum WantedServer: String, Sendable {
    case any, primary, standby
    case readWrite = "read-write"
    case readOnly = "read-only"

    /// Why a server is not wanted, by what it reports; nil if it is. Servers report all of this since version 14; older
    /// ones would have to be asked.
    func objection(to parameters: [String: String]) -> String? {
        let version = parameters["server_version"] ?? ""
        guard let major = Int(version.prefix { $0.isNumber }), major >= 14 else {
            return "the server is older than PostgreSQL 14"
        }
        if self == .any { return nil }
        guard let standby = parameters["in_hot_standby"], let readOnly = parameters["default_transaction_read_only"]
        else { return "the server does not report whether it accepts writes" }
        return objection(isStandby: standby == "on", isReadOnly: readOnly == "on")
    }

    private func objection(isStandby: Bool, isReadOnly: Bool) -> String? {
        switch self {
        case .any: nil
        case .primary: isStandby ? "the server is a standby" : nil
        case .standby: isStandby ? nil : "the server is not a standby"
        case .readWrite: isStandby || isReadOnly ? "the server accepts no writes" : nil
        case .readOnly: isStandby || isReadOnly ? nil : "the server accepts writes"
        }
    }
}
