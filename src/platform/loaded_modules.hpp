// The modules that the dynamic loader has loaded.
#pragma once

#include <link.h>

#include <cstdint>
#include <functional>

namespace moult::internal {

/// Calls `visit` for each module, the program first, until it returns false. Under the loader's lock. What `visit`
/// throws leaves when the lock is released: thrown through dl_iterate_phdr, it would keep the lock for ever.
void visit_loaded_modules(const std::function<bool(const dl_phdr_info&)>& visit);

/// The run-time address of the program minus that in its file.
std::uintptr_t bias_of_program();

}  // namespace moult::internal
