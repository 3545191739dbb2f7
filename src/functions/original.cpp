#include "code/original.hpp"

#include <utility>

#include "base/fault.hpp"
#include "code/module_hold.hpp"
#include "functions/function_change.hpp"
#include "moult/relinking.hpp"

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

const void* original_version(const AnyFunction& function, Caller caller) {
  using internal::CodeAddress;
  MOULT_FAULT("functions.original.symbols");
  const CodeAddress caller_address{reinterpret_cast<std::uintptr_t>(caller.module)};
  internal::ModuleHold modules({CodeAddress{reinterpret_cast<std::uintptr_t>(function.address())}, caller_address});
  const internal::Program program = internal::Program::of_this_process();
  const internal::FunctionSymbol symbol = internal::symbol_of(program, function, "the function");
  if (const std::optional<std::size_t> module = program.module_at(caller_address))
    internal::require_programs_own(program, symbol, program.modules()[*module].path);
  const internal::PatchTarget target{symbol.demangled, symbol.range, {}, symbol.fragments, {}};
  const CodeAddress original = internal::original_of(target, internal::module_with(caller.module));
  modules.keep();
  return reinterpret_cast<const void*>(value(original));
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
