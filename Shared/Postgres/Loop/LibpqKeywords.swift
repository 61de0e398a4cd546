extension SessionParameters {
    /// The same in libpq's keywords and values.
    func libpqKeywords(for host: PostgresHost) -> [String: String] {
        var all = ["user": user, "dbname": database, "sslmode": tls.rawValue, "port": String(host.port)]
        all["host"] = host.name
        all["hostaddr"] = host.address
        all["password"] = password
        all["sslrootcert"] = rootCertificates
        all["sslcert"] = clientCertificate
        all["sslkey"] = clientKey
        all["keepalives"] = keepAlive.isOn ? "1" : "0"
        all["keepalives_idle"] = String(keepAlive.idle)
        all["keepalives_interval"] = String(keepAlive.interval)
        all["keepalives_count"] = String(keepAlive.count)
        all["tcp_user_timeout"] = String(keepAlive.userTimeout)
        var options: [String] = []
        for (name, value) in startup {
            switch name {
            case "application_name", "client_encoding": all[name] = value
            // The server applies them before the other parameters.
            case "options": options.insert(value, at: 0)
            default: options.append("-c \(name)=\(SessionParameters.escape(value))")
            }
        }
        all["options"] = options.joined(separator: " ")
        return all
    }

    /// In `options`, a space or a backslash is escaped with a backslash (PostgreSQL documentation, 34.1.2).
    private static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value {
            if character == " " || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}
