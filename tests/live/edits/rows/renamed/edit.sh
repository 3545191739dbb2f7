sed -i 's/counter/total/g; s/"%d"/"%d."/' app.cpp
