/// The life of a job.
///
/// ```
///            claimed               effect committed
///  queued ────────────▶ running ─────────────────────▶ done   (its row is gone)
///    ▲  ▲               │ ▲   │ │
///    │  └── retried ────┘ └───┘ └── refused, or out of attempts ──▶ dead
///    │       (back-off)   lease ran out:                            │
///    │                    taken by another                          │
///    └──────────────────────── revived by an operator ◀─────────────┘
/// ```
///
/// A dead job is seen until an operator revives or removes it; that of a schedule, until its next run is due.
package enum JobState: String, CaseIterable, Sendable {
    /// Waits for its time, or for somebody free.
    case queued
    /// Somebody holds its lease.
    case running
    /// Its work is done. No row says so: what it did stands where it did it.
    case done
    /// Nobody will try again unless told to; kept to be seen.
    case dead

    /// Whether a job may go from this state to that one; what holds a job under a new lease counts as going.
    package func allows(_ next: JobState) -> Bool {
        switch (self, next) {
        case (.queued, .running): true
        case (.running, .running): true
        case (.running, .queued): true
        case (.running, .done): true
        case (.running, .dead): true
        case (.dead, .queued): true
        default: false
        }
    }
}
