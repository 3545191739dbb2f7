// Why: new versions of functions use static objects of their update, and are called to the very end of the process: by
// destructors of the program's static objects, by functions given to atexit, by other threads. The update was loaded
// last, so its static objects would be destroyed first, and all these calls would use destroyed objects.
//
// How: MOULT_UPDATE gives the update a hidden __cxa_atexit of its own. The compiler calls it wherever an object with
// static storage has been constructed: one of a namespace, a class or a function, in any source file of the update. An
// object in the update's own memory is not registered, so it is never destroyed. The leak checker finds what it owns,
// since it searches the variables of loaded libraries.
// - Memory of another module is destroyed as it would be without an update: a new version may be the first to construct
//   an inline variable, or a static object of an inline function, that the program shares.
// - No object, but a function: the compiler's for an array. Arrays shared with the program are not told apart, and live
//   on too.
// - std::ios_base::Init is destroyed. The standard streams are flushed when the last one of these goes.
// - std::atexit is linked into each library, and calls __cxa_atexit. It has a function of its own here, and still
// works.
//
// thread_local objects go by __cxa_thread_atexit, which nothing is changed of: they end with their thread.
//
// Limits: a destructor with an effect that outlives the process, such as a stream's that writes its last bytes, does
// not run; such an update calls std::atexit. Other counters of the kind of std::ios_base::Init, in headers of the
// program, do not reach zero.
#include "moult/detail/at_exit.hpp"

#include <dlfcn.h>

#include <ios>
#include <new>

#include "base/code_record.hpp"
#include "code/module_hold.hpp"

namespace moult::internal {
namespace {

using Destructor = void (*)(void*);

/// std::ios_base::Init::~Init(), whose address C++ does not give.
extern "C" void end_of_standard_streams(void*) asm("_ZNSt8ios_base4InitD1Ev");

bool lives_on(Destructor destroy, const void* object, const void* module) noexcept {
  if (object == nullptr) return true;
  return module_with(object) == module_with(module) && destroy != end_of_standard_streams;
}

/// Looked up by name, so that moult itself imports no __cxa_atexit: it has no static objects that would need it, and a
/// test sees to that.
int register_in_c_library(Destructor destroy, void* object, void* module) noexcept {
  using Register = int (*)(Destructor, void*, void*);
  static const Register function = reinterpret_cast<Register>(dlsym(RTLD_DEFAULT, "__cxa_atexit"));
  return function(destroy, object, module);
}

/// `code` is called when the process exits: it counts as code that stays.
int register_code(const void* code, Destructor destroy, void* object, void* module) noexcept try {
  CodeRecord record(CodeUse::called_later, {code});
  const int failed = register_in_c_library(destroy, object, module);
  if (failed == 0) record.keep();
  return failed;
} catch (const std::bad_alloc&) {
  return -1;  // as the C library's
}

}  // namespace
}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

int destroy_at_exit(void (*destroy)(void*), void* object, void* module) noexcept {
  if (internal::lives_on(destroy, object, module)) return 0;
  return internal::register_code(reinterpret_cast<const void*>(destroy), destroy, object, module);
}

int call_at_exit(void (*function)()) noexcept {
  // On x86-64 a function without parameters may be called with one.
  return internal::register_code(reinterpret_cast<const void*>(function),
                                 reinterpret_cast<internal::Destructor>(function), nullptr, nullptr);
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
