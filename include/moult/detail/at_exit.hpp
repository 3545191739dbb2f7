// The end of the process, as an update's code meets it: the update's static objects are not destroyed.
#pragma once

#include "moult/detail/abi.hpp"

#pragma GCC visibility push(default)
namespace moult::detail::inline MOULT_ABI_NAMESPACE {

/// An update calls this in place of __cxa_atexit, with its arguments. An object of the module that contains `module` is
/// left alone; any other, such as an inline variable of the program, is destroyed when the process exits. Returns 0
/// unless there is no memory.
int destroy_at_exit(void (*destroy)(void*), void* object, void* module) noexcept;

/// An update calls this in place of std::atexit.
int call_at_exit(void (*function)()) noexcept;

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
#pragma GCC visibility pop

/// Functions that are hidden in the update and have the names of the C library's. The compiler's code for static
/// objects, in all source files of the update, is linked to them. They have other names in C++ because headers declare
/// those.
#define MOULT_KEEP_STATIC_OBJECTS                                                                                      \
  extern "C" [[gnu::visibility("hidden"), gnu::used]] int moult_update_cxa_atexit(void (*)(void*), void*,              \
                                                                                  void*) noexcept asm("__cxa_atexit"); \
  extern "C" [[gnu::visibility("hidden"), gnu::used]] int moult_update_atexit(void (*)()) noexcept asm("atexit");      \
  int moult_update_cxa_atexit(void (*destroy)(void*), void* object, void* module) noexcept {                           \
    return ::moult::detail::destroy_at_exit(destroy, object, module);                                                  \
  }                                                                                                                    \
  int moult_update_atexit(void (*function)()) noexcept { return ::moult::detail::call_at_exit(function); }
