import Foundation
import Synchronization

/// A loopback TCP port that no one listens on and that was not returned before, in this process or in another that runs
/// tests now.
///
/// It is below the kernel's range for outgoing connections, so that none of these takes it before its listener does.
package enum FreePort {
    private static let blockSize: UInt16 = 500
    /// What is left of the last block that is ours.
    private static let block = Mutex<Range<UInt16>>(0..<0)

    package static func next() throws -> Int {
        try block.withLock { block in
            while true {
                if block.isEmpty { block = try reserve() }
                let port = block.removeFirst()
                if let descriptor = bound(to: port) {
                    close(descriptor)
                    return Int(port)
                }
            }
        }
    }

    /// Reserves a block of ports for this process: its first port stays bound, so other processes take other blocks.
    private static func reserve() throws -> Range<UInt16> {
        for first in stride(from: UInt16(20_000), to: 32_000, by: Int(blockSize)).shuffled()
        where bound(to: first) != nil { return first + 1..<first + blockSize }
        throw ServiceProcess.Failure(description: "no free ports")
    }

    /// A socket that is bound to a port; nil if the port is in use.
    private static func bound(to port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
