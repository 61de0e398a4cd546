import Glibc

/// Nanoseconds of the monotonic clock: what the loop measures its waits with.
enum MonotonicClock {
    static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
