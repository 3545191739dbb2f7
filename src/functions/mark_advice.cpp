#include "functions/mark_advice.hpp"

#include "symbols/compilation.hpp"

namespace moult::internal {
namespace {

bool is_by_clang(const Program& program, const FunctionSymbol& function) {
  return compilation_at(program, function.range.begin).compiler() == Compilation::Compiler::clang;
}

std::string mark(const Program& program, const FunctionSymbol& old) {
  const bool shows_no_mark = old.is_local && is_by_clang(program, old);
  return std::string("mark the old one MOULT_UPDATABLE") +
         (shows_no_mark ? ", and give it default visibility, since clang's mark does not show on a hidden or static "
                          "function,"
                        : "");
}

}  // namespace

std::string mark_advice(const Program& program, const FunctionSymbol& old) {
  return mark(program, old) + " and build the program again";
}

std::string knowledge_advice(const Program& program, const FunctionSymbol& old) {
  if (is_by_clang(program, old)) return mark_advice(program, old);
  return mark(program, old) + ", or build with moult_application() or -flive-patching=inline-clone";
}

}  // namespace moult::internal
