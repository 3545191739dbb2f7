// An update as a library that the test loads itself and calls by what it exports.
#pragma once

#include <dlfcn.h>

#include <stdexcept>

/// The library at `path`, loaded once and for all; it exports `loaded_update` of type Exports.
template <class Exports>
const Exports& load_update(const char* path) {
  void* library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void* exports = library == nullptr ? nullptr : ::dlsym(library, "loaded_update");
  if (exports == nullptr) throw std::runtime_error(::dlerror());
  return *static_cast<const Exports*>(exports);
}
