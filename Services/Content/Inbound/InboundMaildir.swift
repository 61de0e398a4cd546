import ClubProtocol
import Crypto
import FoundationEssentials
import Logging
import NIOPosix
import Postgres
import ServiceKit
import ServiceLifecycle

/// Takes the messages that a mail server delivers into a Maildir. A file is deleted when its message is in the database.
struct InboundMaildir: Service {
    private static let poll = Duration.seconds(2)
    /// Of a longer message, the beginning is kept: what it says is there.
    private static let longest = TakeInboundMessage.longest

    let path: String
    let database: PostgresClient
    let logger: Logger

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                try await takeAll()
            } catch {
                logger.warning("the inbox cannot be read", metadata: ["reason": "\(error.loggable)"])
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.poll) }
        }
    }

    func takeAll() async throws {
        for folder in ["new", "cur"] {
            let names = try await NIOThreadPool.singleton.runIfActive {
                try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")
            }
            // A Maildir's names begin with the time of delivery.
            for name in names.sorted() where !name.hasBytePrefix(".") {
                if Task.isShuttingDownGracefully { return }
                do {
                    try await take("\(path)/\(folder)/\(name)")
                } catch let failure as FileFailure {
                    // It must not hold up those behind it.
                    logger.warning(
                        "a message cannot be read", metadata: ["file": "\(name)", "reason": "\(failure.loggable)"])
                }
            }
        }
    }

    private func take(_ file: String) async throws {
        let bytes = try await NIOThreadPool.singleton.runIfActive {
            try OpenFile(reading: file).readToEnd(atMost: Self.longest)
        }
        if !bytes.isEmpty {
            let digest = Array(SHA256.hash(data: bytes))
            try await database.transaction { transaction in
                _ = try await InboundStore.take(
                    bytes, digest: digest, from: .maildir, by: .service(.content), in: transaction)
            }
        }
        try await NIOThreadPool.singleton.runIfActive { try FileManager.default.removeItem(atPath: file) }
    }
}
