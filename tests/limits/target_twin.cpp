// A static function that the program's other file has too.
[[gnu::noinline, gnu::used]] static int twin() { return 2; }
