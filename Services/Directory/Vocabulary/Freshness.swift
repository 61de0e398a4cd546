import ClubProtocol
import Postgres

extension SQL {
    /// Whether a row of `ambassador` or `expert` has this freshness today.
    static func isFresh(_ freshness: Freshness) -> SQL {
        let (ageing, stale) = (months(Freshness.ageingMonths), months(Freshness.staleMonths))
        return switch freshness {
        case .fresh: "confirmed_at > \(ageing)"
        case .ageing: "confirmed_at <= \(ageing) and confirmed_at > \(stale)"
        case .stale: "confirmed_at <= \(stale)"
        }
    }

    /// The freshness of a row of `ambassador` or `expert` today.
    static var freshness: SQL {
        """
        case when \(isFresh(.fresh)) then \(Freshness.fresh) when \(isFresh(.ageing)) then \(Freshness.ageing)
            else \(Freshness.stale) end
        """
    }

    /// Whether the subject of a row of `ambassador` or `expert` is in the network, or has left.
    static func isEnrolled(_ enrolled: Bool) -> SQL { enrolled ? "left_on is null" : "left_on is not null" }

    /// Whether a row of `ambassador` or `expert` is shown to ambassadors and to the public, as far as its enrolment is
    /// concerned: neither left nor stale.
    static var isPresent: SQL { "left_on is null and confirmed_at > \(months(Freshness.staleMonths))" }

    private static func months(_ count: Int) -> SQL { "now() - make_interval(months => \(count)::integer)" }
}
