// The modules that the dynamic loader has loaded.
#pragma once

#include <link.h>

#include <functional>

namespace moult::internal {

/// Calls `visit` for each module, the program first, until it returns false. Under the loader's lock. What `visit`
/// throws leaves when the lock is released: thrown through dl_iterate_phdr, it would keep the lock for ever.
void visit_loaded_modules(const std::function<bool(const dl_phdr_info&)>& visit);

}  // namespace moult::internal
