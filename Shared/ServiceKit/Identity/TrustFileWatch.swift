import Dispatch
import ServiceLifecycle

/// Checks the trust file periodically, on a thread that may block: a disk that does not respond holds up no request.
struct TrustFileWatch: Service {
    let verifier: TokenVerifier
    var interval = Duration.seconds(2)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                await withCheckedContinuation { continuation in
                    DispatchQueue.global().async {
                        verifier.lookAtTrustFile()
                        continuation.resume()
                    }
                }
            }
        }
    }
}
