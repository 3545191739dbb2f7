// Another program, whose updates do not fit the first.
#include "target.hpp"

#include "moult/moult.hpp"

MOULT_UPDATABLE int answer() { return 7; }

int main() { return answer() - 7; }
