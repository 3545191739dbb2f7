// Types are equal across modules when their mangled names are. But classes of unnamed namespaces in different source
// files may have equal names. For these the address of the type's name is part of the key.
#include "pools/object_class.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <deque>

#include "base/guarded.hpp"

namespace moult::internal {
namespace {

/// Never destroyed: objects with static storage duration use pools.
Guarded<std::deque<ObjectClass>>& known_classes() {
  static Guarded<std::deque<ObjectClass>>& made = *new Guarded<std::deque<ObjectClass>>;
  return made;
}

void add_bases(const std::type_info& type, std::ptrdiff_t offset, std::vector<FixedBase>& bases) {
  auto add = [&](const abi::__class_type_info& base, std::ptrdiff_t at) {
    bases.push_back({base.name(), at});
    add_bases(base, at, bases);
  };
  if (const auto* single = dynamic_cast<const abi::__si_class_type_info*>(&type)) {
    add(*single->__base_type, offset);
  } else if (const auto* several = dynamic_cast<const abi::__vmi_class_type_info*>(&type)) {
    for (unsigned i = 0; i < several->__base_count; ++i) {
      const abi::__base_class_type_info& base = several->__base_info[i];
      if (base.__is_public_p() && !base.__is_virtual_p()) add(*base.__base_type, offset + base.__offset());
    }
  }
}

}  // namespace

const ObjectClass& object_class_of(const std::type_info& type) {
  std::string mangled = type.name();
  const char* distinct = mangled.find("_GLOBAL__N_") != std::string::npos ? type.name() : nullptr;
  return known_classes().with([&](std::deque<ObjectClass>& known) -> const ObjectClass& {
    auto found = std::find_if(known.begin(), known.end(), [&](const ObjectClass& each) {
      return each.distinct == distinct && each.mangled == mangled;
    });
    if (found != known.end()) return *found;
    ObjectClass made{std::move(mangled), ClassName(type), distinct, {}};
    add_bases(type, 0, made.bases);
    return known.emplace_back(std::move(made));
  });
}

}  // namespace moult::internal
