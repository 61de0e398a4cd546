import CPango

/// How a text is set.
enum TextStyle {
    case heading, body, strong, quiet, small

    fileprivate var size: Double {
        switch self {
        case .heading: 17
        case .body, .strong, .quiet: 10.5
        case .small: 8.5
        }
    }

    fileprivate var isBold: Bool { self == .heading || self == .strong }
    /// The shade of grey, 0 for black to 1 for white.
    var grey: Double { self == .quiet || self == .small ? 0.35 : 0 }
}

/// Owns a font map for one document; its fonts are released with it.
@safe
final class FontMap {
    private let map: UnsafeMutablePointer<PangoFontMap>
    private let context: OpaquePointer
    /// Metric-compatible with Helvetica and Arial, and embeddable (SIL Open Font License). If it is missing, Pango
    /// uses another font.
    private static let family = "Liberation Sans"

    init() {
        unsafe map = pango_cairo_font_map_new()
        // One unit is one point; nothing is aligned to screen pixels.
        unsafe pango_cairo_font_map_set_resolution(OpaquePointer(map), 72)
        unsafe context = pango_font_map_create_context(map)
        let options = unsafe cairo_font_options_create()
        unsafe cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
        unsafe cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
        unsafe pango_cairo_context_set_font_options(context, options)
        unsafe cairo_font_options_destroy(options)
        unsafe pango_context_set_language(context, pango_language_from_string("fr"))
        unsafe pango_context_set_round_glyph_positions(context, 0)
    }

    deinit {
        unsafe g_object_unref(UnsafeMutableRawPointer(context))
        unsafe g_object_unref(UnsafeMutableRawPointer(map))
    }

    /// Breaks a text into lines of at most `width` points.
    func layout(_ text: String, _ style: TextStyle, width: Double) -> TextLayout {
        guard let layout = unsafe pango_layout_new(context) else { preconditionFailure("GLib ends the process first") }
        let font = unsafe pango_font_description_from_string(Self.family)
        unsafe pango_font_description_set_absolute_size(font, style.size * Double(PANGO_SCALE))
        unsafe pango_font_description_set_weight(font, style.isBold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL)
        unsafe pango_layout_set_font_description(layout, font)
        unsafe pango_font_description_free(font)
        unsafe pango_layout_set_width(layout, Int32(width * Double(PANGO_SCALE)))
        unsafe pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR)
        // No hyphen where a long word is broken: it would be read as part of the word.
        let attributes = unsafe pango_attr_list_new()
        unsafe pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(0))
        unsafe pango_layout_set_attributes(layout, attributes)
        unsafe pango_attr_list_unref(attributes)
        unsafe pango_layout_set_text(layout, text, Int32(text.utf8.count))
        return unsafe TextLayout(layout, style)
    }
}

/// Owns a text that is broken into lines.
@safe
final class TextLayout {
    struct Line {
        let index: Int32
        /// In points, including the space to the next line.
        let height: Double
        /// The distance from its top to its baseline.
        let ascent: Double
    }

    /// As a multiple of a line's own height.
    private static let leading = 1.2

    let style: TextStyle
    let lines: [Line]
    private let layout: OpaquePointer

    fileprivate init(_ layout: OpaquePointer, _ style: TextStyle) {
        unsafe self.layout = unsafe layout
        self.style = style
        var lines: [Line] = []
        let count = unsafe pango_layout_get_line_count(layout)
        for index in 0..<count {
            var logical = PangoRectangle()
            unsafe pango_layout_line_get_extents(pango_layout_get_line_readonly(layout, index), nil, &logical)
            lines.append(
                Line(
                    index: index, height: Double(logical.height) / Double(PANGO_SCALE) * Self.leading,
                    ascent: Double(-logical.y) / Double(PANGO_SCALE)))
        }
        self.lines = lines
    }

    deinit {
        unsafe g_object_unref(UnsafeMutableRawPointer(layout))
    }

    var height: Double { lines.reduce(0) { $0 + $1.height } }

    /// Draws a line, with the left end of its baseline at the current point.
    func show(_ index: Int32, on canvas: OpaquePointer) {
        unsafe pango_cairo_show_layout_line(canvas, pango_layout_get_line_readonly(layout, index))
    }
}
