#include "classes.hpp"

namespace kinds {

MovedV2::MovedV2(int first, long last) : b(last), a(first) {}
long MovedV2::sum() const { return -(a + b); }
MOULT_UPDATABLE long reads_moved_v2(const void* moved) { return static_cast<const MovedV2*>(moved)->a + 1000; }
TightV2::TightV2(int given) : n(given) {}
RoomyV2::RoomyV2(int given) : n(given), more(given) {}
RoomyTwin::RoomyTwin(int given) : n(given) {}
RoomyV3::RoomyV3(int given) : n(given), more(given) {}
LooseV2::LooseV2(int given) : n(given), more(given) {}
ChangedV2::ChangedV2(int given) : n(given) {}
int ChangedV2::other_parameters(long given) const { return n + static_cast<int>(given); }
int ChangedV2::becomes_static(int given) { return given; }
long ChangedV2::other_result() const { return n; }
int ChangedV2::matches() const { return n + 1000; }
int CopiedV2::melted() const { return n; }
int CopiedV2::solid() const { return n + 1000; }
Child::Child(int given) : Parent(given) {}
PlainV2::PlainV2(int given) : n(given) {}
int PlainV2::area() const { return -n; }
PopularV2::PopularV2(int given) : n(given) {}
DisputedV2::DisputedV2(int given) : n(given) {}

}  // namespace kinds
