// In place of pycortex's script of this name, which looks for a gesture sensor
// on the network of the machine that shows the page.
