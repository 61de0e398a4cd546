import ClubProtocol
import Glibc

/// How much memory this process may use.
enum ProcessMemory {
    /// In bytes: the least of what the control group, the process's own limit and the machine allow, read at the start.
    static let limit: Int = smallest(
        of: [controlGroup(root: "/sys/fs/cgroup", membership: read("/proc/self/cgroup")), addressSpace, machine])

    static func smallest(of limits: [Int?]) -> Int {
        // An unset limit is reported as nearly the largest possible number.
        limits.compactMap { $0 }.filter { $0 > 0 }.min() ?? 1 << 30
    }

    /// The lowest limit of the process's control group and of those around it. In a container the file system shows the
    /// container's own group at its root, whatever the membership says.
    ///
    /// - Parameter membership: the content of `/proc/self/cgroup`: `0::/a/b` in version 2, `4:memory:/a/b` in version
    ///   1.
    static func controlGroup(root: String, membership: String?) -> Int? {
        var files = [("\(root)/memory.max"), ("\(root)/memory/memory.limit_in_bytes")]
        // text: the kernel's.
        for line in membership?.split(separator: "\n") ?? [] {
            // text: the kernel's.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let (folder, file): (String, String)
            if parts[0] == "0", parts[1].isEmpty {
                (folder, file) = (root, "memory.max")
                // text: the kernel's.
            } else if parts[1].split(separator: ",").contains("memory") {
                (folder, file) = ("\(root)/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            var path = ""
            // text: the kernel's.
            for name in parts[2].split(separator: "/") where name != ".." {
                path += "/\(name)"
                files.append("\(folder)\(path)/\(file)")
            }
        }
        // text: the kernel's.
        return files.compactMap { read($0).flatMap { Int($0.trimmingBlanks) } }.min()
    }

    private static var addressSpace: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return nil }
        return Int(exactly: limit.rlim_cur)
    }

    private static var machine: Int? {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && size > 0 ? pages * size : nil
    }

    private static func read(_ path: String) -> String? {
        guard let bytes = try? OpenFile(reading: path).readToEnd(atMost: 4096) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
