import ClubProtocol
import Logging
import ServiceLifecycle

/// Calls each peer periodically, so that a warning about one neither waits for the next request nor outlasts the
/// failure.
struct PeerProbe: Service {
    let peers: Peers
    let names: [ServiceName]
    let interval: Duration

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await withDiscardingTaskGroup { group in
                    for name in names {
                        group.addTask {
                            // The client itself keeps the outcome; any response shows that the peer is up.
                            _ = try? await peers[name].send(ReadChanges.request(query: .init(wait: 0, limit: 1)))
                        }
                    }
                }
                try? await Task.sleep(for: interval * Double.random(in: 0.8...1.2))
            }
        }
    }
}
