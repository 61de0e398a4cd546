import HTTPTypes

/// Searches experts: by distance if a postal code is given; otherwise those whose name begins with the query first,
/// then the others, each by name.
///
/// Accents, case and French endings do not matter. An unknown word is treated as a prefix, or as a misspelling. The
/// order is total and depends on nothing that changes while a caller pages through.
package enum SearchExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/expert-search", "Searches experts, nearest or most fitting first.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert))

    package struct Filter: OptionalParameters {
        /// Words of the name or the commune; at most eight are used.
        package var q: Line?
        package var subKind: Expert.SubKind?
        /// Where the expert is located.
        package var departement: Departement?
        package var region: Region?
        /// A département that the expert serves.
        package var serves: Departement?
        package var topic: Topic?
        /// A brand by name, ignoring case and accents.
        package var brand: Line?
        package var freshness: Freshness?
        /// Whether they are in the channel now, or have left.
        package var enrolled: Bool?
        package var updatedSince: Timestamp?

        package init() {}

        package init(
            q: Line? = nil, subKind: Expert.SubKind? = nil, departement: Departement? = nil, region: Region? = nil,
            serves: Departement? = nil, topic: Topic? = nil, brand: Line? = nil, freshness: Freshness? = nil,
            enrolled: Bool? = nil, updatedSince: Timestamp? = nil
        ) {
            self.q = q
            self.subKind = subKind
            self.departement = departement
            self.region = region
            self.serves = serves
            self.topic = topic
            self.brand = brand
            self.freshness = freshness
            self.enrolled = enrolled
            self.updatedSince = updatedSince
        }
    }

    package struct Origin: OptionalParameters {
        /// Where distance is measured from: the same postal code first, then the same first three digits, then the
        /// other départements by the distance of their prefectures.
        package var near: PostalCode?

        package init() {}

        init(near: PostalCode?) {
            self.near = near
        }
    }

    package typealias Query = Paged<Combined<Filter, Origin>>
    package typealias Response = Page<Expert>
}

/// Counts the results of a search by each filter, and tells how its words were interpreted.
package enum CountExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/expert-search/facets", "Counts the experts that a search finds, by each filter.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert))

    package typealias Query = SearchExperts.Filter
    package typealias Response = ExpertFacets
}

/// The number of experts in a search result for each value of each filter.
package struct ExpertFacets: Codable, Hashable, Sendable {
    /// The number of experts counted.
    package var counted: Int
    /// Whether every result was counted. Of more than ten thousand, or of fewer if finding them all takes long, only
    /// a part is counted, at least a thousand; the counts are then of these only.
    package var isComplete: Bool
    /// For each filter, the most frequent values first, at most twenty.
    package var subKinds: [FacetCount]
    package var regions: [FacetCount]
    package var departements: [FacetCount]
    package var topics: [FacetCount]
    package var brands: [FacetCount]
    package var freshness: [FacetCount]
    /// Unknown words and how they were interpreted; only for callers who may see every expert.
    package var readings: [WordReading]

    package init(
        counted: Int, isComplete: Bool, subKinds: [FacetCount], regions: [FacetCount], departements: [FacetCount],
        topics: [FacetCount], brands: [FacetCount], freshness: [FacetCount], readings: [WordReading]
    ) {
        self.counted = counted
        self.isComplete = isComplete
        self.subKinds = subKinds
        self.regions = regions
        self.departements = departements
        self.topics = topics
        self.brands = brands
        self.freshness = freshness
        self.readings = readings
    }
}

/// A value of a filter, and its count.
package struct FacetCount: Codable, Hashable, Sendable {
    package var value: String
    package var count: Int

    package init(value: String, count: Int) {
        self.value = value
        self.count = count
    }
}

/// A word as typed, and how it was interpreted, likeliest first.
package struct WordReading: Codable, Hashable, Sendable {
    package var typed: String
    package var takenFor: [String]

    package init(typed: String, takenFor: [String]) {
        self.typed = typed
        self.takenFor = takenFor
    }
}

extension Combined<SearchExperts.Filter, SearchExperts.Origin> {
    package init(_ filter: SearchExperts.Filter = .init(), near: PostalCode? = nil) {
        self.init(filter, SearchExperts.Origin(near: near))
    }
}
