// The version of the binary interface between programs and updates, and the names that carry it.
#pragma once

/// Raised whenever an update built before would misbehave in a program built after. An update carries the number in a
/// note (load.hpp), which is checked before its code is loaded.
#define MOULT_ABI_VERSION 4

/// The inline namespace of moult::detail: abi_4 for version 4. Templates of moult::detail are compiled into the program
/// and into each update under the same names, and the loader binds all to one copy. Their names hold the version, so
/// that two versions are never bound to each other.
#define MOULT_ABI_NAMESPACE MOULT_ABI_JOIN(abi_, MOULT_ABI_VERSION)
#define MOULT_ABI_JOIN(name, version) MOULT_ABI_JOIN_EXPANDED(name, version)
#define MOULT_ABI_JOIN_EXPANDED(name, version) name##version
