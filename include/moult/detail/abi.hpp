// The version of the binary interface between programs and updates, and the names that carry it.
#pragma once

/// Raised whenever an update that was built before would misbehave in a program built after. An update carries the
/// number in a note (load.hpp); the loader checks it before it loads the update's code.
#define MOULT_ABI_VERSION 4

/// The inline namespace of moult::detail: abi_4 for version 4. Templates of moult::detail are compiled into the program
/// and into each update under the same names, and the loader binds all of them to one copy. The version in their names
/// keeps two versions apart.
#define MOULT_ABI_NAMESPACE MOULT_ABI_JOIN(abi_, MOULT_ABI_VERSION)
#define MOULT_ABI_JOIN(name, version) MOULT_ABI_JOIN_EXPANDED(name, version)
#define MOULT_ABI_JOIN_EXPANDED(name, version) name##version
