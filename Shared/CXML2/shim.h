#ifndef CXML2_SHIM_H
#define CXML2_SHIM_H

// Some builds of libxml2 show ICU in the structure of an encoding, which is not touched here; the one of Foundation is another.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>

#endif
