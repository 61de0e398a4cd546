import Foundation

extension TestCluster {
    /// Restarts a private server with other rules of access, which the superuser is exempt from.
    ///
    /// - Parameters:
    ///   - rules: lines of `pg_hba.conf`.
    ///   - isSecure: whether it speaks TLS, with ``LoopbackCertificate``.
    package func restart(rules: [String], isSecure: Bool = false) throws {
        guard let directory else { throw NotOurs() }
        try stop(.fast)
        let exempt = ["local all all trust", "host all \(superuser) all trust"]
        try write((exempt + rules).joined(separator: "\n") + "\n", to: "\(directory)/data/pg_hba.conf")
        if isSecure {
            try write(LoopbackCertificate.pem, to: "\(directory)/data/server.crt")
            try write(LoopbackCertificate.key, to: "\(directory)/data/server.key")
        }
        try write("ssl = \(isSecure ? "on" : "off")\n", to: "\(directory)/data/postgresql.auto.conf")
        try start()
    }

    /// The folder of its Unix socket.
    package func socketFolder() throws -> String {
        guard let directory else { throw NotOurs() }
        return directory
    }

    /// Writes a file that only the server may read.
    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        chmod(path, 0o600)
        if let user = Command.unprivilegedUser, let entry = getpwnam(user) {
            chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
    }
}
