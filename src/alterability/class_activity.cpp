#include "alterability/class_activity.hpp"

#include <string>
#include <typeinfo>
#include <utility>

#include "moult/error.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/class_uses.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {

std::vector<FunctionExtent> extents_of_class(const Program& program, std::string_view class_name) {
  std::vector<FunctionExtent> extents;
  for (const MemberCode& code : member_code(program, class_name)) {
    FunctionExtent extent{code.symbol.demangled, code.symbol.fragments};
    extent.ranges.insert(extent.ranges.begin(), code.symbol.range);
    extents.push_back(std::move(extent));
  }
  for (MemberCopy& copy : member_copies(program, class_name))
    extents.push_back({copy.member + ", inlined into " + copy.caller + ",", std::move(copy.code)});
  if (extents.empty())
    throw Error(ErrorCode::not_found,
                std::string(class_name) + ": no code of its member functions is known; build it with symbols and -g");
  return extents;
}

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

bool is_class_in_any_stack(const std::type_info& type, const std::vector<ThreadId>& threads) {
  const internal::Program program = internal::Program::of_this_process();
  const std::vector<internal::FunctionExtent> extents =
      internal::extents_of_class(program, internal::name_of_class(type));
  bool is_active = false;
  internal::in_stopped_world({}, [&](const internal::StoppedWorld& stopped) {
    is_active = internal::find_activity(stopped, extents, threads).has_value();
  });
  return is_active;
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
