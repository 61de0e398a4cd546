import Foundation
import Synchronization

/// A loopback TCP port that no one listens on and that was not returned before.
///
/// It is below the kernel's range for outgoing connections, so that none of these takes it before its listener does.
package enum FreePort {
    private static let given = Mutex<Set<UInt16>>([])

    package static func next() throws -> Int {
        for _ in 1...1000 {
            let port = UInt16.random(in: 20_000..<32_000)
            guard given.withLock({ $0.insert(port).inserted }), isFree(port) else { continue }
            return Int(port)
        }
        throw ServiceProcess.Failure(description: "no free port")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
