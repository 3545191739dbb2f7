// Handles to moult's own objects in exported signatures.
#pragma once

#include "moult/detail/abi.hpp"

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

/// The base of a class of the library. Exported functions take and return it in place of that class, so that an update
/// built before does not depend on the class's name or on the place of its source.
template <class Kind>
class Opaque {
 protected:
  Opaque() = default;
  ~Opaque() = default;
  Opaque(const Opaque&) = default;
  Opaque& operator=(const Opaque&) = default;
};

using OpaquePool = Opaque<struct PoolKind>;
using OpaqueSideTable = Opaque<struct SideTableKind>;
using OpaqueMethodTable = Opaque<struct MethodTableKind>;
using OpaqueLazyConversion = Opaque<struct LazyConversionKind>;
using OpaqueProgressiveAccess = Opaque<struct ProgressiveAccessKind>;
using OpaqueHeapWalk = Opaque<struct HeapWalkKind>;
using OpaquePointerSearch = Opaque<struct PointerSearchKind>;
using OpaqueLocalChange = Opaque<struct LocalChangeKind>;
using OpaqueFrameLocals = Opaque<struct FrameLocalsKind>;
using OpaquePreparedRedefinition = Opaque<struct PreparedRedefinitionKind>;
using OpaqueThread = Opaque<struct ThreadKind>;
using OpaqueUpdateRun = Opaque<struct UpdateRunKind>;

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
