#ifndef CIDN2_SHIM_H
#define CIDN2_SHIM_H

#include <idn2.h>

// UTS 46, non-transitional, and what it gives must be IDNA2008. The input is NFC after the mapping, so libidn2 makes it so.
static inline int cidn2_to_ascii(const char *domain, char **result) {
    return idn2_to_ascii_8z(domain, result, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
}

#endif
